"""From the text of a mail to sentences that a voice can say: pure, linear, without exceptions."""
