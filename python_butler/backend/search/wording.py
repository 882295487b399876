"""What a person typed into the search box, as something to match names with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from uuid import UUID

__all__ = ["Wording"]

_GLOB = re.compile(r"[*?\[]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Wording:
    """Words that have all to occur, globs that have to match a whole name, or an identifier.

    Upper and lower case are the same.
    """

    words: tuple[str, ...]
    globs: tuple[re.Pattern[str], ...]
    identifier: UUID | None

    @classmethod
    def of(cls, text: str) -> Wording:
        """Read what was typed.

        Parameters
        ----------
        text : `str`
            Words with spaces between. One with ``*``, ``?`` or ``[`` is a glob. An identifier may be part
            of something longer, such as an IVOA identifier.

        Returns
        -------
        wording : `Wording`
            What to look for.
        """
        identifier = _UUID.search(text)
        parts = text.casefold().split()
        return cls(
            words=tuple(part for part in parts if not _GLOB.search(part)),
            globs=tuple(re.compile(translate(part)) for part in parts if _GLOB.search(part)),
            identifier=None if identifier is None else UUID(identifier.group()),
        )

    def matches(self, name: str) -> bool:
        """Tell whether a name matches.

        Parameters
        ----------
        name : `str`
            A whole name.

        Returns
        -------
        matches : `bool`
            Whether all words occur in it, and all globs match it.
        """
        folded = name.casefold()
        return all(word in folded for word in self.words) and all(glob.match(folded) for glob in self.globs)

    def occurs_in(self, name: str, text: str) -> bool:
        """Tell whether all words occur in a name or in the text that goes with it.

        Parameters
        ----------
        name, text : `str`
            A name, which globs have to match, and its documentation.

        Returns
        -------
        occurs : `bool`
            Whether there is something that matches in the text.
        """
        if not text or not self.words:
            return False
        folded_name, folded_text = name.casefold(), text.casefold()
        return all(glob.match(folded_name) for glob in self.globs) and all(
            word in folded_text or word in folded_name for word in self.words
        )
