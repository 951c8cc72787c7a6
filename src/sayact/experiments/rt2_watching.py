"""What is measured while RT-2 trains: its answers about pictures that it never learns from."""

from sayact.data.vision_language.source import VisionLanguage
from sayact.evals.answers import answering, measure_answers
from sayact.models.checkpoint import Checkpoint
from sayact.policies.loading import build_policy
from sayact.policies.rt2 import RT2Policy


def watch_answers(
    source: VisionLanguage, content: Checkpoint, most: int, device: str
) -> dict[str, float]:
    """The share of right answers of each kind of picture and question, of up to `most` each."""
    policy = build_policy(content, device)
    assert isinstance(policy, RT2Policy)
    return measure_answers(source, answering(policy), most)
