"""What learns from training programs: a set of sequences, and which of them a program is like."""
