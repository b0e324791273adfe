"""Full-text search: the same words, the same hits, on either engine.

`tokenizer` cuts, folds and stems; `indexed_text` says what of a record is searched; `indexer`
writes it; `parser` reads a query, `name_resolution` finds what its names stand for; `sqlite` and
`postgresql` store and match tokens; `highlighting` shows where a hit matched.
"""
