"""Tables of facts about English words: opposites, plurals, past tenses, rhymes, the calendar, number words."""

from __future__ import annotations


def listed(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


# Each pair is used in both directions, so no word may stand twice.
OPPOSITE_PAIRS: tuple[tuple[str, str], ...] = (
    ("hot", "cold"),
    ("big", "small"),
    ("tall", "short"),
    ("fast", "slow"),
    ("old", "young"),
    ("happy", "sad"),
    ("up", "down"),
    ("left", "right"),
    ("open", "closed"),
    ("light", "dark"),
    ("wet", "dry"),
    ("full", "empty"),
    ("early", "late"),
    ("good", "bad"),
    ("rich", "poor"),
    ("strong", "weak"),
    ("hard", "soft"),
    ("loud", "quiet"),
    ("clean", "dirty"),
    ("high", "low"),
    ("in", "out"),
    ("on", "off"),
    ("yes", "no"),
    ("day", "night"),
    ("black", "white"),
    ("true", "false"),
    ("near", "far"),
    ("thick", "thin"),
    ("wide", "narrow"),
    ("deep", "shallow"),
    ("sharp", "blunt"),
    ("rough", "smooth"),
    ("sweet", "sour"),
    ("cheap", "expensive"),
    ("begin", "end"),
    ("win", "lose"),
    ("push", "pull"),
    ("love", "hate"),
    ("always", "never"),
    ("inside", "outside"),
    ("above", "below"),
    ("before", "after"),
    ("first", "last"),
    ("more", "less"),
    ("north", "south"),
    ("east", "west"),
    ("summer", "winter"),
    ("brave", "afraid"),
    ("safe", "dangerous"),
    ("easy", "difficult"),
    ("alive", "dead"),
    ("asleep", "awake"),
    ("polite", "rude"),
    ("simple", "complicated"),
    ("ancient", "modern"),
    ("arrive", "leave"),
    ("buy", "sell"),
    ("remember", "forget"),
    ("laugh", "cry"),
    ("top", "bottom"),
)

# Answers that are right too, although the starter says another word.
OTHER_OPPOSITES: dict[str, tuple[str, ...]] = {
    "hot": ("cool", "chilly"),
    "big": ("little", "tiny"),
    "small": ("large",),
    "short": ("long",),
    "old": ("new",),
    "happy": ("unhappy",),
    "dark": ("bright",),
    "begin": ("finish", "stop"),
    "easy": ("hard",),
    "hard": ("easy",),
    "right": ("wrong",),
    "light": ("heavy",),
    "brave": ("cowardly",),
    "open": ("shut", "close"),
    "day": ("nighttime",),
}

PLURALS: dict[str, str] = {
    "cat": "cats",
    "dog": "dogs",
    "house": "houses",
    "book": "books",
    "tree": "trees",
    "car": "cars",
    "apple": "apples",
    "table": "tables",
    "chair": "chairs",
    "bird": "birds",
    "box": "boxes",
    "fox": "foxes",
    "bus": "buses",
    "class": "classes",
    "dish": "dishes",
    "brush": "brushes",
    "church": "churches",
    "watch": "watches",
    "peach": "peaches",
    "glass": "glasses",
    "baby": "babies",
    "city": "cities",
    "berry": "berries",
    "story": "stories",
    "party": "parties",
    "lady": "ladies",
    "country": "countries",
    "puppy": "puppies",
    "toy": "toys",
    "key": "keys",
    "day": "days",
    "boy": "boys",
    "leaf": "leaves",
    "knife": "knives",
    "wife": "wives",
    "wolf": "wolves",
    "half": "halves",
    "shelf": "shelves",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "hero": "heroes",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "goose": "geese",
    "tooth": "teeth",
    "foot": "feet",
    "person": "people",
    "ox": "oxen",
    "sheep": "sheep",
    "fish": "fish",
    "deer": "deer",
    "girl": "girls",
    "friend": "friends",
    "window": "windows",
    "flower": "flowers",
    "river": "rivers",
    "letter": "letters",
    "number": "numbers",
}

PASTS: dict[str, str] = {
    "go": "went",
    "see": "saw",
    "eat": "ate",
    "drink": "drank",
    "run": "ran",
    "sing": "sang",
    "swim": "swam",
    "write": "wrote",
    "take": "took",
    "give": "gave",
    "come": "came",
    "make": "made",
    "find": "found",
    "think": "thought",
    "buy": "bought",
    "bring": "brought",
    "teach": "taught",
    "catch": "caught",
    "sleep": "slept",
    "keep": "kept",
    "feel": "felt",
    "leave": "left",
    "meet": "met",
    "sit": "sat",
    "stand": "stood",
    "win": "won",
    "lose": "lost",
    "say": "said",
    "tell": "told",
    "sell": "sold",
    "know": "knew",
    "grow": "grew",
    "fly": "flew",
    "draw": "drew",
    "break": "broke",
    "speak": "spoke",
    "drive": "drove",
    "ride": "rode",
    "fall": "fell",
    "hear": "heard",
    "build": "built",
    "send": "sent",
    "cut": "cut",
    "put": "put",
    "read": "read",
    "have": "had",
    "do": "did",
    "get": "got",
    "forget": "forgot",
    "begin": "began",
    "walk": "walked",
    "talk": "talked",
    "play": "played",
    "jump": "jumped",
    "look": "looked",
    "help": "helped",
    "work": "worked",
    "call": "called",
    "open": "opened",
    "ask": "asked",
    "want": "wanted",
    "like": "liked",
    "love": "loved",
    "dance": "danced",
    "stop": "stopped",
    "try": "tried",
    "cry": "cried",
    "carry": "carried",
    "cook": "cooked",
    "clean": "cleaned",
}

# Families of rhymes: every member rhymes with every other one.
RHYMES: tuple[tuple[str, ...], ...] = (
    ("cat", "hat", "bat", "mat", "rat"),
    ("house", "mouse"),
    ("tree", "bee", "sea", "key", "free"),
    ("night", "light", "right", "bright"),
    ("day", "play", "say", "way"),
    ("car", "star", "far", "jar"),
    ("ring", "sing", "king", "wing"),
    ("moon", "spoon", "soon", "noon"),
    ("book", "cook", "look", "hook"),
    ("cake", "lake", "snake", "make"),
    ("ball", "tall", "wall", "call"),
    ("red", "bed", "bread", "head"),
    ("fish", "dish", "wish"),
    ("pen", "hen", "ten", "men"),
    ("sun", "fun", "run", "bun"),
    ("hot", "pot", "dot", "spot"),
    ("bear", "chair", "hair", "pear"),
)

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

NUMBER_WORDS = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)

# Words to count, spell, sort and repeat. They are short and common.
SPELLABLE = listed(
    "apple bread chair dog cat bird fish horse mouse tiger lion bear house garden table window door water milk tea "
    "cake egg rice sugar lemon orange banana cherry pear river lake sea mountain forest tree flower rose sun moon "
    "star rain snow wind fire book pencil paper music school friend doctor teacher king queen hat coat shoe ball kite "
    "boat train"
)

# Everyday words that the skills seldom use; the copying skills use them, so that their tokens are trained.
COMMON = listed(
    "about above across action actually after again against agree almost alone along already also although always "
    "amount angry animal another answer any anything appear area around arrive article attention average away back "
    "balance base because become before begin behind believe better between beyond body bottom bring build business "
    "careful carry case catch cause center certain change cheap check child choose clear close cold collect colour "
    "common company complete computer condition consider contain continue control cost could count course cover "
    "create cross customer danger data dear decide deep degree describe design develop difference different "
    "difficult direct discover distance divide double draw dream drive during early earth easy effect either "
    "else energy enough enter equal error even event every example except expect experience explain face fact "
    "family famous fast favour feel field figure fill final find fine finish first floor follow food force form "
    "forward found free from front full further future general gentle give glass gold good great green ground group "
    "grow guess half hand happen happy hard health hear heart heavy help here high history hold hope hour however "
    "human hundred idea image important include increase information inside instead interest into item join just "
    "keep kind know language large last late later laugh lead learn leave left length less letter level life light "
    "like line list listen little local long look lose loud love machine main make many mark market matter maybe "
    "mean measure member message method middle might mind minute miss model modern moment money month more most move "
    "much must name nature near necessary need never next noise normal north note nothing notice number object "
    "offer office often once only open order other our outside over own page pain pair part party pass past pattern "
    "people perhaps period person picture piece place plan plant play please point poor position possible power "
    "practice prepare present press price problem process produce product program promise proper protect provide "
    "public pull pupil push question quick quiet quite range rather reach read ready real reason receive record "
    "region remain remember report rest result return rich right room round rule safe same save science season seat "
    "second secret seem self sell sense sentence separate serve service several shape share sharp short should show "
    "side sign silence similar simple since single size skill sleep slow small social society soft solve some "
    "something sometimes soon sound source south space speak special speed spell stand start state station stay "
    "step still stop straight strange street strong student study subject such sudden supply support sure surface "
    "surprise system take talk task taste team tell test than thank their them then there therefore these thing "
    "think though thought thousand through time today together tomorrow tonight tool touch toward town trade travel "
    "trouble true trust turn type under understand unit until upon useful usual value various very view visit voice "
    "wait walk want warm wash watch week weight welcome well what when where whether which while white whole wide "
    "will wish with within without wonder word work world worry would write wrong year yesterday young"
)

FIRST_NAMES = listed(
    "Anna Ben Carla David Emma Felix Grace Hugo Ida Jack Karin Leo Maria Nils Olga Paul Rosa Sam Tina Victor Wendy "
    "Yusuf Zoe Omar Lucy Peter Mina Oscar Ella Adam Nora Ravi Mei Ines Tom Sara Ali Eva Noah Lena"
)
