"""Queries: which records a query means, in which order, a page at a time; reads only.

A query string is loaded (`schemas.query.loading`), resolved (`resolver`) and planned
(`plans.planner`). `filters.incidents` is the table of filters; `pages`, `counts`, `statistics`,
`overview` and `claims` answer with what a plan leads to.
"""
