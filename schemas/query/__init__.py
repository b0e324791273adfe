"""The query language: every parameter of the lists, how it is written and what it means.

Any of is a comma (one that a blank follows does not separate); all of is repetition, for
`community`, `police_measure`, `tag` and `organisation` alone. What is unknown, repeated, empty or
wrong is an error that helps; nothing is ignored, clamped or guessed.
"""
