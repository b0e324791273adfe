"""The claims behind records: of one record from its document, across records by their rows."""
