"""What Prometheus reads."""

from prometheus_client.parser import text_string_to_metric_families

from sayact.serve.metrics import Metrics


def read(metrics):
    families = text_string_to_metric_families(metrics.text())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_latencies_batches_and_errors():
    metrics = Metrics()
    for n in range(1, 101):
        metrics.answered(n / 1000, 0.0)
    metrics.forwarded(3, 0.05)
    metrics.failed("WireError")
    metrics.failed("WireError")
    metrics.connected()
    found = read(metrics)
    assert found["sayact_request_seconds_count",] == 100
    assert found["sayact_request_seconds_bucket", "0.05"] == 50
    assert abs(found["sayact_request_quantile_seconds", "0.5"] - 0.0505) < 1e-9
    assert abs(found["sayact_request_quantile_seconds", "0.99"] - 0.09901) < 1e-9
    assert found["sayact_batch_robots_sum",] == 3
    assert found["sayact_forward_seconds_count",] == 1
    assert found["sayact_errors_total", "WireError"] == 2
    assert found["sayact_connections_total",] == 1


def test_before_the_first_request():
    found = read(Metrics())
    assert found["sayact_request_seconds_count",] == 0
    assert ("sayact_request_quantile_seconds", "0.5") not in found


def test_numbers_that_others_keep():
    metrics, here = Metrics(), [1, 2]
    metrics.follow("sessions", "Sessions", lambda: len(here))
    assert read(metrics)["sayact_sessions",] == 2
    here.clear()
    assert read(metrics)["sayact_sessions",] == 0


def test_two_servers_count_apart():
    one, two = Metrics(), Metrics()
    one.connected()
    assert read(two)["sayact_connections_total",] == 0
