"""The explorer's words: records, filters and history laid out for people to read.

`words` says single values, `forms` lays out the filters, `pages` a record. They read documents as
the API serves them, and know neither requests nor HTML.
"""
