"""Talking to OpenAI-compatible endpoints: checked addresses, a paced client with retries. No torch in here."""

from aft.endpoints.address import AddressRefused, CheckedTransport, check_address
from aft.endpoints.client import EndpointClient, EndpointError, EndpointUnavailable, Interrupted
from aft.endpoints.pace import Pace

__all__ = [
    "AddressRefused",
    "CheckedTransport",
    "EndpointClient",
    "EndpointError",
    "EndpointUnavailable",
    "Interrupted",
    "Pace",
    "check_address",
]
