"""Who may come in, and where the door is."""

import ssl

import pytest

from sayact.schema.errors import SayactError
from sayact.serve.security import Keys, is_loopback, read_keys, require_safe_host, tls_context

KEY = "0123456789abcdef"


def test_without_keys_the_door_is_open():
    assert Keys().open_to(None)
    assert Keys().open_to("Api-Key whatever")


@pytest.mark.parametrize(
    "header",
    [f"Api-Key {KEY}", f"Bearer {KEY}", f"bearer  {KEY} ", "Api-Key the other key"],
)
def test_right_keys(header):
    assert Keys((KEY, "the other key")).open_to(header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        KEY,
        "Api-Key",
        "Api-Key ",
        f"Basic {KEY}",
        f"Api-Key {KEY[:-1]}",
        "Bearer schlüssel",
    ],
)
def test_wrong_keys(header):
    assert not Keys((KEY,)).open_to(header)


def test_keys_are_not_printed():
    assert KEY not in repr(Keys((KEY,)))


def test_keys_of_a_file_and_of_the_environment(tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"# of the lab\n{KEY}\n\n  another-key  \n")
    assert read_keys(file, {"SAYACT_KEY": "not-this-one"}).known == (KEY, "another-key")
    assert read_keys(None, {"SAYACT_KEY": KEY}).known == (KEY,)
    assert not read_keys(None, {})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "holds no key"),
        ("# none\n", "holds no key"),
        ("short", "8 letters"),
        ("a b c d e", "8"),
    ],
)
def test_files_without_a_good_key(tmp_path, content, why):
    file = tmp_path / "keys"
    file.write_text(content)
    with pytest.raises(SayactError, match=why):
        read_keys(file, {})


def test_no_file_of_keys(tmp_path):
    with pytest.raises(SayactError, match="no file of keys"):
        read_keys(tmp_path / "keys", {})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("robot.lan", False),
        ("", False),
    ],
)
def test_where_others_reach_it_a_key_is_wanted(host, loopback):
    assert is_loopback(host) == loopback
    require_safe_host(host, Keys((KEY,)), insecure=False)
    require_safe_host(host, Keys(), insecure=True)
    if not loopback:
        with pytest.raises(SayactError, match=r"--key-file FILE .*--insecure"):
            require_safe_host(host, Keys(), insecure=False)


def test_no_certificates_no_tls():
    assert tls_context(None, None) is None


def test_half_a_certificate(tmp_path):
    with pytest.raises(SayactError, match="give both"):
        tls_context(tmp_path / "c.pem", None)


def test_what_is_no_certificate(tmp_path):
    file = tmp_path / "c.pem"
    with pytest.raises(SayactError, match="no certificate"):
        tls_context(file, file)
    file.write_text("no PEM")
    with pytest.raises(SayactError, match="no certificate"):
        tls_context(file, file)


def test_a_certificate(certificate):
    context = tls_context(*certificate)
    assert context is not None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
