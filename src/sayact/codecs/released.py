"""What Google's RT-1 sees and answers with; policy_specs.pbtxt of its released checkpoints."""

from sayact.codecs.edges import EdgeBins
from sayact.codecs.images import ImageCodec
from sayact.codecs.instructions import SentenceEncoder
from sayact.codecs.processor import Processor
from sayact.schema import ActionSpace

CAMERA = (256, 320)  # height, width of its pictures; the network resizes them


def released_processor(
    action_space: ActionSpace, bins: int, sentences: SentenceEncoder, fallback: int = 0
) -> Processor:
    """`fallback` is the mode that a token decodes to which is no mode."""
    return Processor(
        images=ImageCodec(camera=CAMERA, shrink_by=1, crop=CAMERA),
        actions=EdgeBins(action_space=action_space, bins=bins, fallback=fallback),
        sentences=sentences,
    )
