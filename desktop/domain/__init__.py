"""Tickets, runs, errors, sentences: plain values, standard library only, no input or output."""
