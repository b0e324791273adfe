"""The commands as `diaspora-incidents COMMAND` or `python -m api COMMAND`, without flask."""

from flask.cli import FlaskGroup

from api import create_app

main = FlaskGroup(
    name="diaspora-incidents",
    create_app=create_app,
    help="The commands of the diaspora incident service.",
)

if __name__ == "__main__":
    main()
