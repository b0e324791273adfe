"""The contract: what an incident record is, in marshmallow and the standard library only."""
