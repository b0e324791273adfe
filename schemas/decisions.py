"""What a curator decides about whole records: publish, reject, merge."""

from schemas.fields import Choice, Integer, ListOf, RecordId, StrictSchema, Text
from schemas.merge import HEADLINES
from schemas.vocabulary import WITHDRAWAL_CODES


class DecisionSchema(StrictSchema):
    """A decision with its reason, and the version it is based on."""

    version = Integer(1, 2**31 - 1)
    reason = Text()


class RemovalSchema(DecisionSchema):
    """What a DELETE takes in its body, as it does by query: why, and the version it is based on."""


class WithdrawalSchema(RemovalSchema):
    """The withdrawal of a record: the code that the public is told, too."""

    code = Choice(WITHDRAWAL_CODES)


class ReasonSchema(StrictSchema):
    """Why something is done."""

    reason = Text()


class RejectionSchema(DecisionSchema):
    """A rejection: the reason is what the author needs to put the draft right."""

    reason = Text(optional=False, required=True)


class MergeSchema(DecisionSchema):
    """A merge: into which record, and which headline figures are taken from the merged one."""

    into = RecordId(required=True)
    headline = ListOf(Choice(HEADLINES))


class DistinctSchema(StrictSchema):
    """A judgement that a record and another are of two events."""

    other = RecordId(required=True)
