"""What an update of the rules changes in the answers to real claims: exact, claim by claim, summed by rule, code and provider."""
