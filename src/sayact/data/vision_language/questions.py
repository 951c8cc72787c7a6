"""What a reader finds: a picture and what is asked about it; what is wrong with some of them."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from sayact.codecs.places import PLACEHOLDER
from sayact.schema.errors import BrokenDatasetError

logger = logging.getLogger(__name__)

CAPTION_PROMPT = "what is in the picture?"  # captions come without a question

PICTURE = "picture"  # a scene of no known kind

# Why something is left out. A reader's summary counts them.
MISSING_IMAGE = "missing image"
BROKEN_IMAGE = "image that cannot be read"
EMPTY_ANSWER = "empty answer or question"
BROKEN_MEMBER = "broken tar member or record"
WRONG_POINT = "place without a point in 0…1"
NO_QUESTION = "image without a question"
TOO_LONG = "more tokens than the context"

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Question:
    """points: (x, y) in 0…1 of the whole picture, or None; "<p0>" in a text stands for the first.

    about: what kind of question it is, such as "pointing"; readers of foreign data call it "vqa"
    or "caption".
    """

    question: str
    answer: str
    about: str
    language: str = "en"
    points: tuple[Point | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """picture: a file's bytes, or None where there is none. name: how a complaint calls it.

    scene: what kind of picture it is, where that is known: "table" for our own board, "page" …
    """

    name: str
    picture: bytes | None
    questions: tuple[Question, ...]
    scene: str = PICTURE


@runtime_checkable
class Reader(Protocol):
    """Opens one kind of folder. What it leaves out, it tells `skipped`."""

    def fingerprint(self) -> str:
        """Changes whenever the folder's content does; without reading all of it."""
        ...

    def read(self, skipped: "Skipped") -> Iterator[Found]: ...


@dataclass
class Skipped:
    """Counts what is left out, or raises at the first with `strict`."""

    where: str
    strict: bool = False
    reasons: Counter[str] = field(default_factory=Counter[str])

    def add(self, reason: str, name: str, detail: object = "") -> None:
        shown = f"{self.where}: {name}: {reason}" + (f" ({detail})" if detail else "")
        if self.strict:
            raise BrokenDatasetError(f"{shown}. Mend it, or leave out --strict to skip such ones.")
        logger.debug("left out: %s", shown)
        self.reasons[reason] += 1

    def summary(self) -> str:
        """One line; empty where nothing was left out."""
        if not self.reasons:
            return ""
        each = ", ".join(f"{count} × {reason}" for reason, count in self.reasons.most_common())
        return f"{self.where}: left out {each}"


def parse_questions(
    content: Mapping[str, Any], name: str, skipped: Skipped
) -> tuple[Question, ...]:
    """From a record: {"questions": [{…}, …]}, a single {"question", "answer"}, or {"caption"}."""
    listed = content.get("questions")
    if listed is None:
        single = dict(content)
        if "answer" not in single and "caption" in single:
            single |= {"answer": single["caption"], "question": CAPTION_PROMPT, "about": "caption"}
        listed = [single]
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        skipped.add(BROKEN_MEMBER, name, '"questions" is no list')
        return ()
    if not listed:
        skipped.add(NO_QUESTION, name)
    parsed = (_parse(one, name, skipped) for one in listed)
    return tuple(one for one in parsed if one is not None)


def _parse(content: Any, name: str, skipped: Skipped) -> Question | None:
    if not isinstance(content, Mapping):
        skipped.add(BROKEN_MEMBER, name, "a question is no object")
        return None
    question, answer = content.get("question"), content.get("answer")
    if not (isinstance(question, str) and question.strip()) or answer in (None, ""):
        skipped.add(EMPTY_ANSWER, name)
        return None
    if not isinstance(answer, str | int | float):
        skipped.add(BROKEN_MEMBER, name, "an answer is neither text nor number")
        return None
    answer = str(answer).strip()
    if not _is_unicode(question + answer):
        skipped.add(BROKEN_MEMBER, name, "half a character")
        return None
    points = _points(content.get("points"))
    named = [int(number) for number in PLACEHOLDER.findall(question + answer)]
    if points is None or any(n >= len(points) or points[n] is None for n in named):
        skipped.add(WRONG_POINT, name)
        return None
    if not answer:
        skipped.add(EMPTY_ANSWER, name)
        return None
    return Question(
        question=question.strip(),
        answer=answer,
        about=str(content.get("about") or "vqa"),
        language=str(content.get("language") or "en"),
        points=points,
    )


def _is_unicode(text: str) -> bool:
    """JSON can write half of a surrogate pair, which is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _points(given: Any) -> tuple[Point | None, ...] | None:
    """None where one of them is no point of the picture, or all is no list."""
    points: list[Point | None] = []
    if given is not None and (isinstance(given, str) or not isinstance(given, Sequence)):
        return None
    for one in given or ():
        if one is None:
            points.append(None)
            continue
        try:
            x, y = map(float, one)
        except (TypeError, ValueError):
            return None
        if not (0 <= x <= 1 and 0 <= y <= 1):
            return None
        points.append((x, y))
    return tuple(points)
