"""Management: commands that are thin doors to the verbs, and what operators alone need."""
