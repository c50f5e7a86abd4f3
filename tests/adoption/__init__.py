"""Adoption of an agency's own boards, on prepared workspaces."""
