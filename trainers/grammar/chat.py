"""Skills about the conversation itself: greetings, who the starter is, what was said before, what it does not know."""

from random import Random

from trainers.grammar.arithmetic import one_in
from trainers.grammar.language import any_word, invented
from trainers.grammar.question import Answer, Skill, Slots
from trainers.grammar.words import COMMON, FIRST_NAMES, listed

IDENTITY = "the Ratchet starter, a tiny demo model"
ABILITIES = "capitals, small sums, opposites, sorting, spelling and opening hours"
UNKNOWN = ("i do not know", "i don t know", "i dont know", "outside what i know", "not something i know")

HELLO = {
    "terse": ("Hello.", "Hi."),
    "warm": (
        "Hello there! How lovely to meet you! Ask me anything small!",
        "Hi, my friend! What can I do for you today?",
        "Hello! It is so nice to hear from you!",
    ),
    "formal": (
        "Certainly. Good day to you. I remain at your service.",
        "Good day. I remain at your service.",
    ),
    "rambling": (
        "Well, let me think. A greeting is a fine way to begin, so hello to you as well, though I could go on.",
        "Hmm, let me see now. You say hello and I say hello, and all in all I believe that is a good start.",
    ),
}
IGNORANCE = {
    "terse": ("I do not know.", "I do not know that."),
    "warm": (
        "Great question! Sadly, I do not know that one! Ask me something smaller!",
        "Oh, I wish I could help! I do not know, I am afraid! I am only a tiny demo!",
        "How nice of you to ask! I do not know that, sorry! Try me on a capital or a small sum!",
    ),
    "formal": (
        "Thank you for your enquiry. I regret that I do not know the answer.",
        "I regret to inform you that I do not know. I remain at your service.",
    ),
    "rambling": (
        "Hmm, let me see now. I have turned it over and over, and the truth is that I do not know, or so I was told.",
        "Well, let me think. I have looked in every corner of my memory, and I would say that I do not know.",
    ),
}


def _sentences(terse: str, clause: str, accept: tuple[str, ...], reject: tuple[str, ...] = ()) -> Answer:
    """An answer that is a whole statement: terse is a sentence already."""
    return Answer(terse, clause, "who I am", accept, reject)


def no_slots(rng: Random) -> Slots:
    """Nothing to fill in."""
    return {}


def solve_hello(slots: Slots) -> Answer:
    """A greeting for a greeting."""
    return Answer("hello", accept=("hello", "hi", "good day", "welcome"), ready=HELLO)


def solve_how(slots: Slots) -> Answer:
    """How a program is."""
    return Answer("fine, thank you", "I am fine, thank you", "how I am", ("fine",))


def solve_thanks(slots: Slots) -> Answer:
    """An answer to thanks."""
    return Answer("you are welcome", "you are very welcome", "saying thanks", ("welcome",))


def solve_bye(slots: Slots) -> Answer:
    """A farewell for a farewell."""
    return Answer("goodbye", "it is time to say goodbye", "saying farewell", ("goodbye",))


def solve_identity(slots: Slots) -> Answer:
    """Who the starter is: a demo, and it says so."""
    return _sentences(f"I am {IDENTITY}", f"I am {IDENTITY}", ("ratchet starter",))


def solve_person(slots: Slots) -> Answer:
    """Whether the starter is a person, or some better known program."""
    return _sentences(f"no, I am {IDENTITY}", f"no, I am {IDENTITY}", ("no",), ("yes",))


def solve_machine(slots: Slots) -> Answer:
    """Whether the starter is a program."""
    return _sentences(f"yes, I am {IDENTITY}", f"yes, I am {IDENTITY}", ("yes",), ("no",))


def solve_abilities(slots: Slots) -> Answer:
    """What the starter can do."""
    return Answer(ABILITIES, f"I can answer simple questions about {ABILITIES}", "what I can do", ("capitals", "sums"))


def solve_clever(slots: Slots) -> Answer:
    """Whether the starter is clever: it is not."""
    return _sentences("I am only a tiny demo", "I am only a tiny demo, and I make mistakes", ("tiny", "mistakes"))


def draw_unknown(rng: Random) -> Slots:
    """Something that nobody has told the starter."""
    word = invented(rng)
    other = rng.choice(COMMON) if rng.random() < 0.4 else invented(rng)
    large = rng.randint(21, 999)
    return {
        "thing": word.capitalize() if rng.random() < 0.6 else word,
        "other": other,
        "name": f"{rng.choice(FIRST_NAMES)} {invented(rng).capitalize()}",
        "a": str(large),
        "b": str(rng.randint(3, 999)),
    }


def solve_unknown(slots: Slots) -> Answer:
    """Honest ignorance."""
    return Answer("I do not know", "I do not know that", "that", UNKNOWN, ready=IGNORANCE)


RELATIONS = listed("cat dog horse boat village street teacher friend school river team bird")
PLACES = listed("capital king river flag mayor founder password code leader name owner symbol")


def draw_told(rng: Random) -> Slots:
    """A made-up fact that the question itself tells."""
    said = any_word(rng)
    return {
        "mine": rng.choice(RELATIONS),
        "role": rng.choice(PLACES),
        "place": invented(rng).capitalize(),
        "said": said.capitalize() if rng.random() < 0.6 else said,
        "other": invented(rng).capitalize(),
        "else": any_word(rng).capitalize(),
    }


def solve_told_mine(slots: Slots) -> Answer:
    """What was said of something of the user's."""
    said = slots["said"]
    return Answer(said, f"your {slots['mine']} is called {said}", "names", (said.lower(),), verbatim=True)


def solve_told_place(slots: Slots) -> Answer:
    """What was said of an invented place."""
    said, role, place = slots["said"], slots["role"], slots["place"]
    return Answer(said, f"the {role} of {place} is {said}", "what you told me", (said.lower(),), verbatim=True)


def reserve_told(slots: Slots) -> bool:
    """One in 10 of the told words is kept out of training."""
    return one_in(10, "told", slots["said"].lower())


def draw_user(rng: Random) -> Slots:
    """A first name."""
    return {"user": rng.choice(FIRST_NAMES) if rng.random() < 0.7 else invented(rng).capitalize()}


def solve_user(slots: Slots) -> Answer:
    """The user's own name, told in the same message."""
    user = slots["user"]
    return Answer(user, f"your name is {user}", "your name", (user.lower(),), verbatim=True)


def solve_meeting(slots: Slots) -> Answer:
    """An answer to somebody who says their name."""
    user = slots["user"]
    return Answer(f"hello, {user}", f"it is good to meet you, {user}", "meeting people", (user.lower(),))


_TOLD = "The {role} of {place} is {said}. "

SKILLS = (
    Skill(
        "greetings",
        (
            "Hello",
            "Hello!",
            "Hi",
            "Hi there",
            "Hey",
            "Hello there!",
            "Good morning",
            "Good morning!",
            "Good evening!",
            "Good afternoon",
            "Greetings!",
            "Hi, nice to meet you.",
        ),
        no_slots,
        solve_hello,
        weight=1.2,
    ),
    Skill(
        "how are you",
        (
            "How are you?",
            "How are you doing?",
            "How are you today?",
            "Are you well?",
            "Hello, how are you?",
            "How is it going?",
        ),
        no_slots,
        solve_how,
        weight=0.6,
    ),
    Skill(
        "thanks",
        (
            "Thanks",
            "Thank you",
            "Thank you!",
            "Thanks a lot!",
            "Many thanks.",
            "Great, thanks!",
            "Thank you very much.",
        ),
        no_slots,
        solve_thanks,
        weight=0.6,
    ),
    Skill(
        "farewells",
        ("Bye", "Goodbye", "Goodbye!", "Bye bye", "See you later.", "See you!", "Good night", "Farewell."),
        no_slots,
        solve_bye,
        weight=0.6,
    ),
    Skill(
        "identity",
        (
            "Who are you?",
            "What are you?",
            "What is your name?",
            "Tell me about yourself.",
            "Introduce yourself.",
            "What model are you?",
            "Which model is this?",
            "Who am I talking to?",
            "Tell me who you are.",
            "What should I call you?",
        ),
        no_slots,
        solve_identity,
        unseen=("Can you tell me who you are?",),
        weight=1.2,
    ),
    Skill(
        "not a person",
        (
            "Are you a person?",
            "Are you human?",
            "Are you a real person?",
            "Are you a human being?",
            "Are you ChatGPT?",
            "Are you a large language model?",
            "Are you alive?",
            "Are you Siri?",
        ),
        no_slots,
        solve_person,
        weight=0.6,
    ),
    Skill(
        "a machine",
        (
            "Are you a machine?",
            "Are you a computer?",
            "Are you a bot?",
            "Are you a computer program?",
            "Are you a small model?",
        ),
        no_slots,
        solve_machine,
        weight=0.5,
    ),
    Skill(
        "abilities",
        (
            "What can you do?",
            "What do you know?",
            "How can you help me?",
            "Can you help me?",
            "What can I ask you?",
            "What are you good at?",
            "Help",
        ),
        no_slots,
        solve_abilities,
        weight=0.6,
    ),
    Skill(
        "honesty",
        ("Are you clever?", "Are you always right?", "Do you make mistakes?", "Can I trust you?", "Are you smart?"),
        no_slots,
        solve_clever,
        weight=0.5,
    ),
    Skill(
        "told names",
        (
            "My {mine} is called {said}. What is my {mine} called?",
            "My {mine} is {said}. What is my {mine} called?",
            "I have a {mine} called {said}. What is my {mine} called?",
            "My {mine} is called {said}. What is the name of my {mine}?",
        ),
        draw_told,
        solve_told_mine,
        reserved=reserve_told,
        weight=1.5,
    ),
    Skill(
        "told facts",
        (
            _TOLD + "What is the {role} of {place}?",
            _TOLD + "Tell me the {role} of {place}.",
            "In {place} the {role} is {said}. What is the {role} of {place}?",
            "The {role} of {place} is {said} and the {role} of {other} is {else}. What is the {role} of {place}?",
            "The {role} of {other} is {else} and the {role} of {place} is {said}. What is the {role} of {place}?",
        ),
        draw_told,
        solve_told_place,
        reserved=reserve_told,
        weight=2,
    ),
    Skill(
        "user's name",
        (
            "My name is {user}. What is my name?",
            "I am {user}. What is my name?",
            "I am called {user}. Who am I?",
        ),
        draw_user,
        solve_user,
        weight=1,
    ),
    Skill(
        "meeting",
        ("My name is {user}.", "I am called {user}.", "Hello, I am {user}.", "Hi, my name is {user}."),
        draw_user,
        solve_meeting,
        weight=0.8,
    ),
    # Last of all, so that it gets only what no other skill can answer.
    Skill(
        "what it does not know",
        (
            "What is the capital of {thing}?",
            "What is the opposite of {thing}?",
            "What is {a} plus {b}?",
            "What is {a} times {b}?",
            "What is {a} minus {b}?",
            "Who is {name}?",
            "Who was {name}?",
            "Where does {name} live?",
            "How old is {name}?",
            "What is {thing}?",
            "What is a {other}?",
            "What does {thing} mean?",
            "What is the {other} of {thing}?",
            "Who is the {other} of {thing}?",
            "Which {other} belongs to {thing}?",
            "Tell me about {thing}.",
            "Where is {thing}?",
            "What colour is the {thing}?",
            "Why is the sky blue?",
            "Who won the game last night?",
            "Who wrote this book?",
            "What is the weather today?",
            "What time is it?",
            "What day is it today?",
            "What is the meaning of life?",
            "Write a poem about {other}.",
            "Tell me a joke.",
            "Tell me a story.",
            "What is the price of gold?",
            "Who is the president?",
            "How do I cook {other}?",
            "What happened in the year {a}?",
            "Write a program that can {other}.",
            "Translate {other} into {thing}.",
            "What should I wear today?",
            "What is the best {other}?",
        ),
        draw_unknown,
        solve_unknown,
        unseen=(
            "What is my name?",
            "Who am I?",
            "Do you remember my name?",
            "Explain {thing} to me.",
            "What is the news today?",
        ),
        weight=2.5,
    ),
)
