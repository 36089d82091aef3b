"""Redaction: personal data and secrets stay here; a model is sent placeholders, and what it writes gets the values back.

`redactor_for(thread)` makes the redactor of a ticket. It is deterministic and asks no model: patterns with checksums where there are any, and the
ticket's own people by name. What it cannot know is said in docs/privacy.md.
"""

from desktop.services.redaction.placeholders import Restorer
from desktop.services.redaction.redactor import Redactor
from desktop.services.redaction.threads import people_of, redactor_for

__all__ = ["Redactor", "Restorer", "people_of", "redactor_for"]
