"""Whether a filter can be used, and if not, why and where."""

from __future__ import annotations

from collections.abc import Sequence

from astropy.time import Time
from lsst.daf.butler import DatasetType, InvalidQueryError
from lsst.daf.butler.queries._identifiers import IdentifierContext, interpret_identifier
from lsst.daf.butler.queries.convert_args import convert_where_args
from lsst.daf.butler.queries.expressions.parser import parse_expression
from lsst.daf.butler.queries.expressions.parser.parserLex import LexToken, ParserLex, ParserLexError
from lsst.daf.butler.queries.expressions.parser.parserYacc import ParseError, ParserEOFError

from ...errors import InvalidRequestError
from ..dataset_types import find_dataset_type
from ..repository import BrowsedRepository
from .calls import call_in
from .models import DatasetFilter, DatasetSearch, QueryCheck, QueryProblem
from .ordering import keys_of
from .shape import is_text, shape_of

__all__ = ["check", "find_problems", "raise_problems"]

_CONSTANTS = {"null", "now", "true", "false"}
_FUNCTIONS = {"point", "circle", "box", "polygon", "region", "uuid", "glob"}


def find_problems(dataset_type: DatasetType, filter: DatasetFilter) -> list[QueryProblem]:
    """Look for what keeps a filter from being used; asks no server.

    Parameters
    ----------
    dataset_type : `lsst.daf.butler.DatasetType`
        What is looked for.
    filter : `DatasetFilter`
        How it must be.

    Returns
    -------
    problems : `list` [`QueryProblem`]
        None, if it can be used.
    """
    return [
        *_in_data_id(dataset_type, filter),
        *_in_shape(dataset_type, filter),
        *_in_where(dataset_type, filter.where),
        *_in_order(dataset_type, filter),
    ]


def check(repository: BrowsedRepository, search: DatasetSearch) -> QueryCheck:
    """Tell what is made of a search; asks nothing that is not known or quick to find out.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    search : `DatasetSearch`
        The search.

    Returns
    -------
    check : `QueryCheck`
        Its problems, or the call.
    """
    dataset_type = find_dataset_type(repository, search.dataset_type)
    if problems := find_problems(dataset_type, search.filter):
        return QueryCheck(problems=problems, call=None)
    return QueryCheck(problems=[], call=call_in(repository, dataset_type, search))


def raise_problems(problems: Sequence[QueryProblem]) -> None:
    """Refuse a filter that has problems.

    Parameters
    ----------
    problems : sequence of `QueryProblem`
        What `find_problems` found.

    Raises
    ------
    InvalidRequestError
        If there are any, with the first.
    """
    for problem in problems:
        raise InvalidRequestError(problem.message, "Change the query.")


def _in_data_id(dataset_type: DatasetType, filter: DatasetFilter) -> list[QueryProblem]:
    problems: list[QueryProblem] = []
    dimensions = dataset_type.dimensions.universe.dimensions
    for name, values in filter.data_id.items():
        if name not in dimensions.names:
            problems.append(QueryProblem(field="data_id", message=f"There is no dimension {name}."))
            continue
        expected, word = (str, "names") if is_text(dimensions[name]) else (int, "whole numbers")
        wrong = [value for value in values if type(value) is not expected]
        if wrong:
            message = f"The values of {name} are {word}, unlike {wrong[0]!r}."
            problems.append(QueryProblem(field="data_id", message=message))
    return problems


def _in_shape(dataset_type: DatasetType, filter: DatasetFilter) -> list[QueryProblem]:
    problems: list[QueryProblem] = []
    shape = shape_of(dataset_type)
    if filter.near is not None and shape.region is None:
        message = f"Datasets of type {dataset_type.name} have no position on the sky."
        problems.append(QueryProblem(field="near", message=message))
    if filter.time is not None:
        if shape.timespan is None:
            message = f"Datasets of type {dataset_type.name} have no time of observation."
            problems.append(QueryProblem(field="time", message=message))
        problems += _in_time(filter.time.begin, filter.time.end)
    return problems


def _in_time(begin: str | None, end: str | None) -> list[QueryProblem]:
    times: list[Time] = []
    for text in (begin, end):
        if text is None:
            continue
        try:
            times.append(Time(text, scale="tai"))
        except ValueError:
            message = f"{text!r} is no time; write it like 2025-12-03T01:00:00."
            return [QueryProblem(field="time", message=message)]
    if len(times) == 2 and not times[0] < times[1]:
        return [QueryProblem(field="time", message="The time range ends before it begins.")]
    return []


def _in_order(dataset_type: DatasetType, filter: DatasetFilter) -> list[QueryProblem]:
    for text in filter.order_by:
        try:
            keys_of(dataset_type, [text])
        except InvalidRequestError as error:
            return [QueryProblem(field="order_by", message=error.message)]
        except InvalidQueryError as error:
            return [QueryProblem(field="order_by", message=_sentence(str(error)))]
    return []


def _in_where(dataset_type: DatasetType, where: str) -> list[QueryProblem]:
    if not where.strip():
        return []
    try:
        parse_expression(where)
    except Exception as error:
        return [_syntax(where, error)]
    tokens = _tokens(where)
    problems = _in_names(dataset_type, where, tokens)
    if problems:
        return problems
    try:
        _convert(dataset_type, where)
    except Exception as error:
        begin, end = _culprit(dataset_type, where, tokens)
        return [_problem(where, _sentence(str(error)), begin, end)]
    return []


def _convert(dataset_type: DatasetType, where: str) -> None:
    convert_where_args(dataset_type.dimensions, {dataset_type.name}, where)


def _syntax(where: str, error: Exception) -> QueryProblem:
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ParserLexError():
                mark = where[cause.pos]
                message = (
                    "The quote is not closed."
                    if mark == "'"
                    else f"The character {mark} is not expected here."
                )
                if mark == '"':
                    message = "Text stands between single quotes."
                return _problem(where, message, cause.pos, len(where) if mark == "'" else cause.pos + 1)
            case ParseError():
                length = next((t.end - t.begin for t in _tokens(where) if t.begin == cause.pos), 1)
                found = where[cause.pos : cause.pos + length]
                return _problem(where, f"{found} is not expected here.", cause.pos, cause.pos + length)
            case ParserEOFError():
                end = len(where.rstrip())
                return _problem(where, "Something is missing at the end.", max(0, end - 1), end)
        cause = cause.__cause__ or cause.__context__
    return _problem(where, _sentence(str(error)), 0, len(where))


class _Token:
    def __init__(self, token: LexToken, begin: int, end: int) -> None:
        self.kind: str = token.type
        self.value: object = token.value
        self.begin = begin
        self.end = end


def _tokens(where: str) -> list[_Token]:
    """The words of an expression, up to what cannot be read."""
    lexer = ParserLex.make_lexer()
    lexer.input(where)
    tokens: list[_Token] = []
    try:
        while (token := lexer.token()) is not None:
            tokens.append(_Token(token, token.lexpos, lexer.lexpos))
    except ParserLexError:
        pass
    return tokens


def _in_names(dataset_type: DatasetType, where: str, tokens: Sequence[_Token]) -> list[QueryProblem]:
    context = IdentifierContext(dataset_type.dimensions, {dataset_type.name})
    problems: list[QueryProblem] = []
    for number, token in enumerate(tokens):
        if token.kind == "BIND_NAME":
            message = f"The value :{token.value} is not known here; write it into the expression."
            problems.append(_problem(where, message, token.begin, token.end))
        if token.kind not in ("SIMPLE_IDENTIFIER", "QUALIFIED_IDENTIFIER"):
            continue
        name = where[token.begin : token.end]
        is_call = number + 1 < len(tokens) and tokens[number + 1].kind == "LPAREN"
        if name.lower() in _CONSTANTS or (is_call and name.lower() in _FUNCTIONS):
            continue
        try:
            interpret_identifier(context, name)
        except InvalidQueryError as error:
            problems.append(_problem(where, _sentence(str(error)), token.begin, token.end))
    return problems


def _culprit(dataset_type: DatasetType, where: str, tokens: Sequence[_Token]) -> tuple[int, int]:
    """The smallest part between ANDs and ORs that fails alone; the whole, if none does."""
    inside = 0
    begin = 0
    parts: list[tuple[int, int]] = []
    for token in tokens:
        inside += (token.kind == "LPAREN") - (token.kind == "RPAREN")
        if token.kind in ("AND", "OR") and inside == 0:
            parts.append((begin, token.begin))
            begin = token.end
    for part_begin, part_end in [*parts, (begin, len(where))] if parts else []:
        part = where[part_begin:part_end]
        try:
            _convert(dataset_type, part)
        except Exception:
            return part_begin + len(part) - len(part.lstrip()), part_begin + len(part.rstrip())
    return 0, len(where)


def _problem(where: str, message: str, begin: int, end: int) -> QueryProblem:
    return QueryProblem(field="where", message=message, begin=begin, end=min(max(end, begin + 1), len(where)))


def _sentence(text: str) -> str:
    return text.strip().rstrip(".") + "."
