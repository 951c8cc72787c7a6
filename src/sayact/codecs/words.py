"""Which tokens of a vocabulary are words, how rare they are, and what they are made of."""

from collections.abc import Iterator, Mapping, Set

from sayact.codecs.tokens import Tokenizer


def single_token(tokenizer: Tokenizer, text: str) -> int | None:
    """The token that this text is, if it is one and not a control token."""
    ids = tokenizer.encode(text)
    return ids[0] if len(ids) == 1 and ids[0] not in tokenizer.added else None


def rarest_words(tokenizer: Tokenizer, counts: Mapping[int, int] | None = None) -> Iterator[str]:
    """Words that are one token each and that smaller tokens can spell, the least frequent first.

    By their `counts`, or from the end of the vocabulary, which is where the rarest stand. No two
    differ in spaces alone: people could not tell them apart.
    """
    newest_first = range(tokenizer.size - 1, -1, -1)
    uses = counts or {}
    order = sorted(newest_first, key=lambda token: uses.get(token, 0))  # stable: ties keep theirs
    seen: set[str] = set()
    for token in order:
        word = _word(tokenizer, token)
        if word is None or word.strip() in seen:
            continue
        seen.add(word.strip())
        yield word


def _word(tokenizer: Tokenizer, token: int) -> str | None:
    """A token's text, if it is a word that reads back as this token and can be given up."""
    name = tokenizer.token_name(token)
    if name is None or token in tokenizer.added:
        return None
    text = tokenizer.decode([token])
    if not text.strip().isalpha() or single_token(tokenizer, text) != token:
        return None
    return text if pieces_of(tokenizer, token, {token}) else None


def pieces_of(tokenizer: Tokenizer, token: int, without: Set[int]) -> tuple[int, ...] | None:
    """Tokens not among `without` that together write what `token` writes; None: there are none.

    A learned vocabulary holds the parts of its tokens, down to letters or bytes: the name is cut in
    two, with the left part as long as can be, until all parts are allowed.
    """
    name = tokenizer.token_name(token)
    return None if name is None else _pieces(tokenizer, name, without, {})


def _pieces(
    tokenizer: Tokenizer,
    name: str,
    without: Set[int],
    known: dict[str, tuple[int, ...] | None],
) -> tuple[int, ...] | None:
    """`known` holds what was found for the ends of the name, each of which is tried once."""
    if not name:
        return ()
    if name not in known:
        known[name] = None
        for cut in range(len(name), 0, -1):
            head = tokenizer.token_id(name[:cut])
            if head is None or head in without or head in tokenizer.added:
                continue
            rest = _pieces(tokenizer, name[cut:], without, known)
            if rest is not None:
                known[name] = (head, *rest)
                break
    return known[name]
