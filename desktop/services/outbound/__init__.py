"""Outbound: the one gate through which everything passes that goes to a model. See `gate`."""

from desktop.services.outbound.gate import Outbound
from desktop.services.outbound.sending import Retries, Sending
from desktop.services.outbound.targets import Endpoint, Target

__all__ = ["Endpoint", "Outbound", "Retries", "Sending", "Target"]
