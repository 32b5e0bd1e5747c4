"""What a GPU that can be had for minutes is asked: stages in order of worth, each with its time and its file."""
