"""Real notebook kernels, and what they answer to cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

__all__ = ["Kernel", "Message", "errors_in", "pictures_in", "started"]

type Message = dict[str, Any]


class Kernel:
    """A kernel, and what it answers to cells."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self._client = client

    def run(
        self, code: str, *, interrupt_when: str = "", seen: Callable[[Message], object] = lambda message: None
    ) -> list[Message]:
        """Messages that one cell sends; it is interrupted when a text is shown."""
        parent = self._client.execute(code)
        messages: list[Message] = []
        while True:
            message = self._client.get_iopub_msg(timeout=120)
            if message["parent_header"].get("msg_id") != parent:
                continue
            messages.append(message)
            seen(message)
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return messages
            if kind != "execute_input" and interrupt_when and interrupt_when in str(content):
                interrupt_when = ""
                self.manager.interrupt_kernel()


@contextmanager
def started() -> Iterator[Kernel]:
    """A kernel with the environment as it is now."""
    manager, client = start_new_kernel(startup_timeout=120)
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def pictures_in(messages: list[Message], kind: str = "") -> list[dict[str, str]]:
    """What was shown, and shown anew."""
    return [
        message["content"]["data"]
        for message in messages
        if message["msg_type"] in ("display_data", "update_display_data")
        and message["msg_type"].startswith(kind)
    ]


def errors_in(messages: list[Message]) -> list[dict[str, Any]]:
    """Exceptions that ended the cell: one at most."""
    return [message["content"] for message in messages if message["msg_type"] == "error"]
