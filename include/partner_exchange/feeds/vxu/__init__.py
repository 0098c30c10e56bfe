"""Immunizations: HL7 2.5.1 VXU batches in, data quality report, acknowledgements and consents out."""
