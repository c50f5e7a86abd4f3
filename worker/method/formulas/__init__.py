"""Formulas that several chapters and pages share."""
