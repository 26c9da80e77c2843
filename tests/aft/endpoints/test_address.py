"""Where requests may go."""

import httpx
import pytest

from aft.endpoints import AddressRefused, CheckedTransport, check_address
from tests.stub_endpoint import Answer, stub_endpoint


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "2002:a9fe:a9fe::",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ],
)
def test_link_local_and_metadata_addresses_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="no requests go there"):
        check_address(address, 80)
    with pytest.raises(AddressRefused, match=r"judge\.example"):
        check_address("judge.example", 80, lambda host, port: ["10.0.0.7", address])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.5", "1.1.1.1", "2606:4700::1111"])
def test_own_servers_and_public_ones_are_allowed(address: str) -> None:
    assert check_address(address, 80) == [address]


def test_unknown_host_is_named() -> None:
    with pytest.raises(AddressRefused, match=r"nobody\.invalid"):
        check_address("nobody.invalid", 443)


def test_connection_goes_to_the_checked_address_under_the_original_name() -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    with stub_endpoint(lambda asked, number: Answer({"ok": True})) as stub:
        port = stub.url.rsplit(":", 1)[1].split("/")[0]
        transport = CheckedTransport(resolver=lambda host, port: next(answers))
        with httpx.Client(transport=transport, trust_env=False) as client:
            assert client.post(f"http://judge.example:{port}/v1/x", json={}).json() == {"ok": True}
            # The name points elsewhere now; a connection that is kept open does not go there.
            with pytest.raises(AddressRefused):
                client.post(f"http://judge.example:{port}/v1/x", json={})
    assert [asked.headers["host"] for asked in stub.asked] == [f"judge.example:{port}"]


def test_second_address_is_tried_when_the_first_does_not_answer() -> None:
    with stub_endpoint(lambda asked, number: Answer({"ok": True})) as stub:
        port = stub.url.rsplit(":", 1)[1].split("/")[0]
        transport = CheckedTransport(resolver=lambda host, port: ["127.0.0.9", "127.0.0.1"])
        with httpx.Client(transport=transport, trust_env=False) as client:
            assert client.post(f"http://judge.example:{port}/v1/x", json={}).json() == {"ok": True}
