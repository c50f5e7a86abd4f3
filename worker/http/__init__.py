"""What calls to both APIs share: the run's deadline, the retry policy, bounded bodies and redaction."""
