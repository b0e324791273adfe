"""The application: a REST API for incidents that involve diaspora communities abroad."""
