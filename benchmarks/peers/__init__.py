"""What the service is measured against, each kept small and fair."""
