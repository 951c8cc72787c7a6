"""What Prometheus reads at /metrics: latencies, batch sizes, sessions, the queue, errors.

Every server counts in a registry of its own, so that several can live in one process.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sayact.schema.errors import MissingExtraError

# From the wire alone to a large model on a CPU, in seconds.
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
ROBOTS = (1, 2, 4, 8, 16, 32, 64)
QUANTILES = (0.5, 0.9, 0.99)
NEWEST = 1000  # requests that the quantiles are of


class Metrics:
    """Raises MissingExtraError without prometheus-client."""

    def __init__(self) -> None:
        client = _client()
        self._registry = client.CollectorRegistry()
        self._newest: deque[float] = deque(maxlen=NEWEST)

        def made(kind: Any, name: str, text: str, **more: Any) -> Any:
            return kind(f"sayact_{name}", text, registry=self._registry, **more)

        self._requests = made(
            client.Histogram,
            "request_seconds",
            "From the receipt of a message to its answer",
            buckets=SECONDS,
        )
        self._queue = made(
            client.Histogram, "queue_seconds", "Waiting for a forward pass", buckets=SECONDS
        )
        self._forward = made(
            client.Histogram, "forward_seconds", "Of a forward pass", buckets=SECONDS
        )
        self._batch = made(
            client.Histogram, "batch_robots", "Robots in a forward pass", buckets=ROBOTS
        )
        self._errors = made(
            client.Counter, "errors", "Answers that were errors, by name", labelnames=("name",)
        )
        self._connections = made(client.Counter, "connections", "Connections ever opened")
        self._gauge = client.Gauge
        self._registry.register(_Quantiles(client, self._newest))

    def follow(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A number that is asked for whenever somebody reads the metrics."""
        gauge = self._gauge(f"sayact_{name}", text, registry=self._registry)
        gauge.set_function(value)

    def connected(self) -> None:
        self._connections.inc()

    def forwarded(self, robots: int, seconds: float) -> None:
        """A forward pass is over."""
        self._batch.observe(robots)
        self._forward.observe(seconds)

    def answered(self, seconds: float, queue_seconds: float) -> None:
        """A robot has its action."""
        self._requests.observe(seconds)
        self._queue.observe(queue_seconds)
        self._newest.append(seconds)

    def failed(self, name: str) -> None:
        """A robot was answered with an error; `name` is its class."""
        self._errors.labels(name).inc()

    def text(self) -> str:
        """All of it, in Prometheus' text format."""
        return _client().generate_latest(self._registry).decode()


class _Quantiles:
    """The latency below which half, nine tenths … of the newest requests were."""

    def __init__(self, client: Any, newest: deque[float]) -> None:
        self._client = client
        self._newest = newest

    def collect(self) -> Iterator[Any]:
        family = self._client.core.GaugeMetricFamily(
            "sayact_request_quantile_seconds",
            f"Quantiles of sayact_request_seconds over the newest {NEWEST} requests",
            labels=["quantile"],
        )
        if self._newest:
            values = np.quantile(np.array(self._newest), QUANTILES)
            for quantile, value in zip(QUANTILES, values, strict=True):
                family.add_metric([str(quantile)], float(value))
        yield family


def _client() -> Any:
    try:
        import prometheus_client
        import prometheus_client.core
    except ModuleNotFoundError:
        raise MissingExtraError("prometheus-client", "serve") from None
    return prometheus_client
