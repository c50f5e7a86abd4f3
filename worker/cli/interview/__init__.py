"""The questions of `init`: what is asked, how an answer is read and verified, and how it is written down."""
