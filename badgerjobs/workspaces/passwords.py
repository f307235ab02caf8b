"""Which passwords are taken: Django's rules, with sentences that say what to do."""

from django.contrib.auth import password_validation as rules


class LongEnough(rules.MinimumLengthValidator):
    """Not so short that all of them could be tried."""

    def get_error_message(self) -> str:
        """What to do."""
        return f"Give at least {self.min_length} characters."


class NotAboutYou(rules.UserAttributeSimilarityValidator):
    """Not what stands beside it in the form."""

    def get_error_message(self) -> str:
        """What to do."""
        return "Choose one that is less like your e-mail address."


class NotEverybodys(rules.CommonPasswordValidator):
    """None of the twenty thousand that are tried first."""

    def get_error_message(self) -> str:
        """What to do."""
        return "Choose another: so many people have this one that it is tried first."
