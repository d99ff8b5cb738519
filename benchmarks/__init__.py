"""Scripts that measure, and print ratios of two things run side by side."""
