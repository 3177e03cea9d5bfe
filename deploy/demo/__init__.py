"""The demonstration: the Ashgrove-Test enquiry from end to end."""
