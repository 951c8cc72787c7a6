"""Constrained decoding: whatever the network would rather say, an action is what comes out."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sayact.policies.decoding import (
    PromptBatch,
    Sampling,
    Spoken,
    choose,
    decode_actions,
    decode_text,
)
from sayact.schema.errors import BadActionError
from sayact.testing.tiny_vlm import TinyVLM, TinyVLMConfig

VOCABULARY, END, PAD = 40, 1, 0
LEGAL = torch.zeros(3, VOCABULARY, dtype=torch.bool)
LEGAL[0, [7, 9]] = True
LEGAL[1, 10:20] = True
LEGAL[2, [9, 30]] = True


class Scripted(TinyVLM):
    """Says what a function of its step wants: logits (V,)."""

    def __init__(self, wanted: Callable[[int], torch.Tensor]) -> None:
        super().__init__(TinyVLMConfig(vocabulary=VOCABULARY))
        self.wanted, self.fed = wanted, list[list[int]]()

    def prefill(self, pixels, tokens, prompt, room):
        logits, cache = super().prefill(pixels, tokens, prompt, room)
        self.fed.clear()
        return self.wanted(0).expand_as(logits).clone(), cache

    def step(self, tokens, cache):
        logits = super().step(tokens, cache)
        self.fed.append(tokens.tolist())
        return self.wanted(len(self.fed)).expand_as(logits).clone()


def asked(rows: int = 2) -> PromptBatch:
    generator = torch.Generator().manual_seed(3)
    pictures = torch.randint(0, 256, (rows, 3, 16, 28), generator=generator, dtype=torch.uint8)
    prompts = [list(range(2, 6 + 2 * row)) for row in range(rows)]
    return PromptBatch.of(list(zip(pictures.numpy(), prompts, strict=True)), PAD)


def alone(prompts: PromptBatch, row: int) -> PromptBatch:
    """One row without its padding."""
    length = int(prompts.prompt[row].sum())
    return PromptBatch(
        pixels=prompts.pixels[row : row + 1],
        tokens=prompts.tokens[row : row + 1, :length],
        prompt=prompts.prompt[row : row + 1, :length],
    )


def tiny() -> TinyVLM:
    torch.manual_seed(0)
    return TinyVLM(TinyVLMConfig(vocabulary=VOCABULARY)).eval()


def drawn(seed: int = 0, temperature: float = 1.0) -> Sampling:
    return Sampling(temperature=temperature, generator=torch.Generator().manual_seed(seed))


def is_legal(tokens: torch.Tensor) -> bool:
    return all(bool(LEGAL[d, tokens[:, d]].all()) for d in range(3))


class TestAdversarialLogits:
    @pytest.mark.parametrize("sampling", [None, drawn()], ids=["greedy", "sampled"])
    @pytest.mark.parametrize("token", [END, PAD, 35])
    def test_all_mass_on_what_is_no_action(self, sampling, token):
        wanted = torch.full((VOCABULARY,), -50.0)
        wanted[token] = 200.0
        found = decode_actions(Scripted(lambda _: wanted), asked(), LEGAL, sampling)
        assert found.tokens.shape == (2, 3)
        assert is_legal(found.tokens)
        assert (found.illegal > 0.999999).all()
        # All legal ones are alike, and say so.
        torch.testing.assert_close(found.probabilities[:, 1], torch.full((2,), 0.1))

    def test_the_right_words_in_the_wrong_places(self):
        """Another dimension's token is as illegal as any."""
        wanted = torch.zeros(3, VOCABULARY)
        wanted[0, 30], wanted[1, 7], wanted[2, 10] = 20, 20, 20
        wanted[0, 9], wanted[1, 15], wanted[2, 30] = 10, 10, 10
        found = decode_actions(Scripted(lambda step: wanted[step]), asked(), LEGAL)
        assert found.tokens.tolist() == [[9, 15, 30]] * 2

    def test_no_mass_on_illegal_tokens_is_none(self):
        wanted = torch.full((VOCABULARY,), -100.0)
        wanted[[9, 15]] = 50.0
        found = decode_actions(Scripted(lambda _: wanted), asked(), LEGAL)
        assert found.tokens.tolist() == [[9, 15, 9]] * 2
        # 15 is an action only in the middle, 9 only at both ends.
        torch.testing.assert_close(found.illegal, torch.full((2, 3), 0.5))

    @given(st.lists(st.floats(-1e4, 1e4), min_size=VOCABULARY, max_size=VOCABULARY), st.integers(0))
    @settings(max_examples=60, deadline=None)
    def test_any_logits(self, numbers, seed):
        logits = torch.tensor(numbers)[None]
        for sampling in (None, drawn(seed % 2**32, 0.5)):
            found = choose(logits, LEGAL[1], sampling)
            assert LEGAL[1, found.tokens].all()
            assert 0 <= float(found.illegal) <= 1
            assert 0 < float(found.probabilities) <= 1 or sampling is not None

    @pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
    def test_what_is_not_finite_is_refused(self, bad):
        logits = torch.zeros(1, VOCABULARY)
        logits[0, 35] = bad
        with pytest.raises(BadActionError, match="NaN or infinity"):
            choose(logits, LEGAL[0])


class TestSampling:
    def test_draws_follow_the_probabilities(self):
        logits = torch.tensor([[0.0, 1.0, 2.0, 9.0]]).expand(4000, -1)
        legal = torch.tensor([True, True, True, False])
        found = choose(logits, legal, drawn())
        shares = torch.bincount(found.tokens, minlength=4) / 4000
        expected = torch.tensor([0.0, 1.0, 2.0]).softmax(0)
        assert float((shares[:3] - expected).abs().max()) < 0.03  # 4 standard deviations
        assert shares[3] == 0

    def test_a_seed_repeats_itself(self):
        draws = [decode_actions(tiny(), asked(), LEGAL, drawn(5)).tokens for _ in range(2)]
        assert torch.equal(*draws)

    def test_a_low_temperature_is_greedy(self):
        greedy = decode_actions(tiny(), asked(), LEGAL).tokens
        assert torch.equal(decode_actions(tiny(), asked(), LEGAL, drawn(1, 1e-4)).tokens, greedy)


class TestCacheAndBatch:
    def test_cache_is_no_cache(self):
        """The same choices when all is computed anew for every token."""
        vlm, prompts = tiny(), asked()
        found = decode_actions(vlm, prompts, LEGAL)
        for row in range(2):
            length = int(prompts.prompt[row].sum())
            text = prompts.tokens[row, :length].tolist()
            for dimension in range(3):
                given = [*text, *found.tokens[row, :dimension].tolist(), PAD]
                answer = torch.zeros(1, len(given), dtype=torch.bool)
                answer[0, length:] = True
                prompt = ~answer
                with torch.no_grad():
                    logits = vlm(
                        prompts.pixels[row : row + 1], torch.tensor([given]), prompt, answer
                    )[-1:]
                again = choose(logits, LEGAL[dimension])
                assert again.tokens[0] == found.tokens[row, dimension]
                torch.testing.assert_close(again.illegal[0], found.illegal[row, dimension])

    def test_a_batch_is_one_by_one(self):
        vlm, prompts = tiny(), asked(3)
        together = decode_actions(vlm, prompts, LEGAL)
        for row in range(3):
            found = decode_actions(vlm, alone(prompts, row), LEGAL)
            assert torch.equal(found.tokens[0], together.tokens[row])
            torch.testing.assert_close(found.illegal[0], together.illegal[row])

    def test_one_dimension_takes_no_step(self):
        vlm = Scripted(lambda _: torch.zeros(VOCABULARY))
        assert decode_actions(vlm, asked(), LEGAL[:1]).tokens.shape == (2, 1)
        assert not vlm.fed


class TestText:
    EVERYTHING = torch.ones(VOCABULARY, dtype=torch.bool)

    def say(self, wanted: Callable[[int], int], **options) -> list:
        def logits(step: int) -> torch.Tensor:
            row = torch.zeros(VOCABULARY)
            row[wanted(step)] = 10
            return row

        legal = options.pop("legal", self.EVERYTHING)
        most = options.pop("most_tokens", 6)
        return decode_text(Scripted(logits), asked(), legal, end=END, most_tokens=most, **options)

    def test_stops_at_its_end(self):
        said = self.say(lambda step: [5, 6, END, 7][step])
        assert [(s.tokens, s.ended) for s in said] == [((5, 6), True)] * 2
        assert len(said[0].probabilities) == 2

    def test_stops_when_it_must(self):
        said = self.say(lambda step: 5, most_tokens=4)
        assert [(s.tokens, s.ended) for s in said] == [((5,) * 4, False)] * 2

    def test_stops_when_it_is_enough(self):
        said = self.say(lambda step: 5 + step, enough=lambda tokens: 7 in tokens)
        assert [(s.tokens, s.ended) for s in said] == [((5, 6, 7), False)] * 2

    def test_says_nothing_illegal(self):
        legal = self.EVERYTHING.clone()
        legal[[5, 6]] = False
        for sampling in (None, drawn(0, 3.0)):
            said = self.say(lambda step: 5, legal=legal, sampling=sampling)
            assert not {5, 6} & {token for s in said for token in s.tokens}

    def test_rows_end_by_themselves(self):
        """One row is done early and does not change what the others say."""
        vlm, prompts = tiny(), asked(3)
        once = decode_text(vlm, prompts, self.EVERYTHING, end=END, most_tokens=8)
        ends = {once[1].tokens[2], END}  # so that rows end at different times

        def say(batch: PromptBatch) -> list[Spoken]:
            return decode_text(
                vlm,
                batch,
                self.EVERYTHING,
                end=END,
                most_tokens=8,
                enough=lambda tokens: tokens[-1] in ends,
            )

        together = say(prompts)
        assert len({len(said.tokens) for said in together}) > 1
        for row in range(3):
            assert say(alone(prompts, row))[0].tokens == together[row].tokens
