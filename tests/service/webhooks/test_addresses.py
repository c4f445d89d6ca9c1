"""Where a webhook may lead, and where it may not."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import InvalidRequest
from service.webhooks.address import NotAllowed, addresses_of, is_public, target_of


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
        # Those that hide one of the above.
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::a00:1", "64:ff9b::7f00:1"),
        "64:ff9b:1::1",
    ],
)
def test_what_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_what_is_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_as_what_it_hides(address: object) -> None:
    assert is_public(f"::ffff:{address}") == is_public(f"64:ff9b::{address}") == is_public(str(address))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "x",
            "https://",
            "https:///path",
            "ftp://example.org",
            "file:///etc/passwd",
            "//example.org",
            "example.org",
        ),
        *(
            "http://example.org/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://10.0.0.1",
        ),
        *(
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/",
            "https://a.localhost",
            "https://db.internal",
        ),
        *(
            "https://printer.local.",
            "https://user@example.org",
            "https://user:word@example.org/",
            "https://e.org/#part",
        ),
        *("https://example.org:0", "https://example.org:99999", "https://example.org:x", "https://exa mple.org"),
        *(
            "https://example.org/\r\nHost: other",
            "https://exämple.org",
            "https://-a.org",
            "https://a_b.org/",
            "https://[1]",
        ),
        *("https://[fe80::1%25eth0]/", "https://" + "a" * 2048, "https://" + "a." * 200 + "org"),
    ],
)
def test_such_a_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        target_of(url)
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://example.org", "example.org", "/"),
        ("https://Example.org:8443/a/b?c=d&e", "example.org:8443", "/a/b?c=d&e"),
        ("https://[2606:4700::1111]/x", "[2606:4700::1111]", "/x"),
        ("https://xn--exmple-cua.org/", "xn--exmple-cua.org", "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, authority: str, path: str) -> None:
    target = target_of(url)
    assert (target.secure, target.authority, target.path) == (True, authority, path)


def test_private_ones_are_taken_where_the_deployment_says_so() -> None:
    assert target_of("http://10.0.0.1:8080/x", private=True).port == 8080


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "localhost"])
def test_a_name_is_judged_by_what_it_leads_to(host: str) -> None:
    """Whatever way there is to write an address: what the system makes of it counts."""
    target = target_of(f"https://{host}/", private=True)
    assert set(addresses_of(target, private=True)) <= {"127.0.0.1", "::1"}
    with pytest.raises(NotAllowed):
        addresses_of(target)


def test_a_name_that_leads_nowhere_is_said() -> None:
    with pytest.raises(socket.gaierror):
        addresses_of(target_of("https://no-such-host.invalid/"))


@given(st.text(max_size=80))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.org/{text}"):
        try:
            target = target_of(url)
        except InvalidRequest:
            continue
        assert target.authority.isprintable()
        assert not set(target.path) & set(" \r\n")
