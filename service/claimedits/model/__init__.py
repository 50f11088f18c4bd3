"""The words of the field as values: codes, dates, claims, findings. Imports nothing of the floors above."""
