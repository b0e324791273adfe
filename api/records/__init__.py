"""The write verbs: records made, changed, merged, reviewed and erased."""
