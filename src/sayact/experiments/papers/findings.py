"""What the papers found, as claims that can be judged here: `sayact.evals.findings` judges them.

Numbers are success in percent, from RT-1 (arXiv 2212.06817) and RT-2 (arXiv 2307.15818).
"""

from collections.abc import Mapping

from sayact.evals.findings import Finding
from sayact.experiments.papers.players import PLANNED
from sayact.experiments.papers.suites import PLANNED_SUITES, equal, weights

UNSEEN, EMERGENT = weights("unseen"), weights("emergent")
SMALL = "3.2 million parameters and a drawn web for 55 billion and the internet's"
SIZES = "1 million parameters against 0.45 million, for 55 billion against 5"
LANGUAGE_TABLE = "3.2 million parameters for 3 billion; both are simulated"
EQUAL_STEPS = "1 million parameters; the same steps for each"
PICO_STEPS = "0.45 million parameters; as many steps as the larger ones"
DATA = "RT-2's network of 1 million parameters, not RT-1's; simulated demonstrations"


def _beats(
    name: str,
    claim: str,
    first: str,
    second: str,
    over: Mapping[str, float],
    paper: str,
    differs: str,
) -> Finding:
    return Finding(
        name=name,
        claim=claim,
        first=first,
        second=second,
        over=over,
        paper=paper,
        differs=differs,
    )


FINDINGS: tuple[Finding, ...] = (
    _beats(
        "language-table",
        "RT-2 beats RT-1 on the tasks of its own data",
        "rt2",
        "rt1",
        equal("seen"),
        "90 ± 10 against 74 ± 13 (RT-2, Language-Table)",
        LANGUAGE_TABLE,
    ),
    _beats(
        "unseen",
        "RT-2 beats RT-1 on unseen objects, backgrounds and environments",
        "rt2",
        "rt1",
        UNSEEN,
        "62 against 32 (RT-2, section 4.1)",
        SMALL,
    ),
    _beats(
        "emergent",
        "RT-2 beats RT-1 where only the web showed what is asked",
        "rt2",
        "rt1",
        EMERGENT,
        "60 against 17 (RT-2, section 4.2)",
        SMALL,
    ),
    _beats(
        "symbols",
        "… symbols",
        "rt2",
        "rt1",
        equal("symbols"),
        "82 against 16 (RT-2, section 4.2)",
        SMALL,
    ),
    _beats(
        "reasoning",
        "… reasoning",
        "rt2",
        "rt1",
        weights("reasoning"),
        "46 against 16 (RT-2, section 4.2)",
        SMALL,
    ),
    _beats(
        "people",
        "… people",
        "rt2",
        "rt1",
        equal("people"),
        "53 against 20 (RT-2, section 4.2)",
        "drawn faces, for photographs of people",
    ),
    _beats(
        "co-fine-tuning",
        "co-fine-tuning beats fine-tuning, unseen",
        "co-fine-tuned",
        "fine-tuned",
        UNSEEN,
        "63 against 52 with 55B, 44 against 42 with 5B (RT-2, section 4.3)",
        EQUAL_STEPS,
    ),
    _beats(
        "pretraining",
        "fine-tuning beats training from scratch, unseen",
        "fine-tuned",
        "scratch",
        UNSEEN,
        "42 against 9 with 5B (RT-2, section 4.3)",
        EQUAL_STEPS,
    ),
    _beats(
        "co-fine-tuning-pico",
        "co-fine-tuning beats fine-tuning in the smaller network, unseen",
        "pico",
        "pico-fine-tuned",
        UNSEEN,
        "44 against 42 with 5B (RT-2, section 4.3)",
        PICO_STEPS,
    ),
    _beats(
        "pretraining-pico",
        "fine-tuning beats scratch in the smaller network, unseen",
        "pico-fine-tuned",
        "pico-scratch",
        UNSEEN,
        "42 against 9 with 5B (RT-2, section 4.3)",
        PICO_STEPS,
    ),
    _beats(
        "size",
        "the bigger network beats the smaller, co-fine-tuned, unseen",
        "co-fine-tuned",
        "pico",
        UNSEEN,
        "63 against 44 (RT-2, section 4.3)",
        SIZES,
    ),
    _beats(
        "size-fine-tuned",
        "the bigger network beats the smaller, fine-tuned, unseen",
        "fine-tuned",
        "pico-fine-tuned",
        UNSEEN,
        "52 against 42 (RT-2, section 4.3)",
        SIZES,
    ),
    _beats(
        "frozen",
        "RT-2 beats frozen features, unseen",
        "co-fine-tuned",
        "frozen",
        UNSEEN,
        "62 against 12 (R3M) and 10 (VC-1) (RT-2, section 4.1)",
        "the features are those of our web stage, and what is above them is RT-2's decoder",
    ),
    Finding(
        name="rt1-distractors",
        claim="RT-1 does at least 75 % with distractors",
        first="rt1",
        over=weights("distractors"),
        at_least=0.75,
        paper="83 (RT-1, section 6.2)",
        differs="0, 2, 5 or 9 more blocks",
    ),
    Finding(
        name="rt1-wordings",
        claim="RT-1 does at least 75 % on new wordings",
        first="rt1",
        over=equal("wordings"),
        at_least=0.75,
        paper="76 on unseen instructions (RT-1, section 6.2)",
        differs="the paper's instructions were new pairs of known words",
    ),
    Finding(
        name="rt1-pairs",
        claim="RT-1 does at least 75 % on new pairs of skill and block",
        first="rt1",
        over=equal("pairs"),
        at_least=0.75,
        paper="76 on unseen instructions (RT-1, section 6.2)",
        differs="six pairs are left out of the demonstrations",
    ),
    _beats(
        "history",
        "six frames beat one in RT-1, with distractors",
        "rt1-micro",
        "rt1-one-frame",
        equal("seen", "distractors_5", "distractors_9"),
        "better with history, most of all with distractors (RT-1, appendix)",
        "0.9 million parameters; simulated, and nothing here is hidden in a single frame",
    ),
    _beats(
        "rephrased",
        "RT-1 understands new words better where its demonstrations are said in many",
        "rt1-rephrased",
        "rt1-micro",
        equal("wordings"),
        "not in the papers: their instructions were written by people",
        "0.9 million parameters; half of the sentences in words that the suite does not use",
    ),
    _beats(
        "mistyped",
        "… and with slips of a finger",
        "rt1-rephrased",
        "rt1-micro",
        equal("typos"),
        "not in the papers",
        "0.9 million parameters; the slips learned from are of the suite's kinds",
    ),
    _beats(
        "amount",
        "more demonstrations are better: all against a quarter",
        "co-fine-tuned",
        "quarter",
        UNSEEN,
        "less data, less success (RT-1, section 6.5)",
        DATA,
    ),
    _beats(
        "amount-half",
        "… all against half",
        "co-fine-tuned",
        "half",
        UNSEEN,
        "less data, less success (RT-1, section 6.5)",
        DATA,
    ),
    _beats(
        "diversity",
        "diverse demonstrations beat as many about half of the blocks",
        "eighth",
        "narrow",
        UNSEEN,
        "fewer kinds cost more than fewer demonstrations (RT-1, section 6.5)",
        DATA,
    ),
    _beats(
        "coverage",
        "a web of many things beats one of the robot's own, unseen",
        "co-fine-tuned",
        "control",
        UNSEEN,
        "not in the papers: a control for mere extra training",
        "as many pictures, of eight blocks instead of all",
    ),
    _beats(
        "coverage-objects",
        "… on objects of shapes and colours that no demonstration has",
        "co-fine-tuned",
        "control",
        equal("objects_hard"),
        "not in the papers",
        "where the two webs differ most",
    ),
    _beats(
        "plans",
        "RT-2 does better when it writes a plan first",
        PLANNED,
        "rt2",
        equal(*PLANNED_SUITES),
        "shown in examples, without numbers (RT-2, section 4.4)",
        "one network and its weights; only acting differs",
    ),
)
