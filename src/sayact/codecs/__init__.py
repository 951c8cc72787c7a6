"""Words, pixels and actions ⇄ numbers. The only room that knows both sides."""

from sayact.codecs.bins import ActionCodec, UniformBins
from sayact.codecs.edges import EdgeBins
from sayact.codecs.images import ImageCodec
from sayact.codecs.instructions import UniversalSentenceEncoder
from sayact.codecs.processor import Processor

__all__ = [
    "ActionCodec",
    "EdgeBins",
    "ImageCodec",
    "Processor",
    "UniformBins",
    "UniversalSentenceEncoder",
]
