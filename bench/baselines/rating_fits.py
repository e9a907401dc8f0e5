"""Ratings from votes as one would fit them: Davidson's likelihood by scipy, or I-LSR by choix. No project code.

    python rating_fits.py scipy|choix DATABASE

The same tables read with plain sqlite3. scipy: the likelihood with ties given to BFGS with its gradient, standard
errors from its inverse Hessian; no intervals for pairs, no clusters. choix: decisive votes alone, no ties, no
intervals. Prints one JSON object: the seconds from the file to the strengths, and these by name.
"""

import json
import sqlite3
import sys
import time
from typing import Any

import numpy as np

VOTES = """
select a.model_name, b.model_name, v.choice from votes v
join answers a on a.comparison_id = v.comparison_id and a.position = 0
join answers b on b.comparison_id = v.comparison_id and b.position = 1
where v.choice in ('a', 'b', 'tie')
"""


def by_scipy(found: list[Any], index: dict[str, int]) -> list[float]:
    """Votes one by one as arrays."""
    from scipy.optimize import minimize

    a = np.array([index[row[0]] for row in found])
    b = np.array([index[row[1]] for row in found])
    said = np.array([("a", "b", "tie").index(row[2]) for row in found])

    def loss(parameters: Any) -> tuple[float, Any]:
        half = (parameters[a] - parameters[b]) / 2
        logits = np.stack([half, -half, np.full_like(half, parameters[-1])])
        chances = np.exp(logits - np.logaddexp.reduce(logits, axis=0))
        slope = ((said == 0) - 1.0 * (said == 1)) / 2 - (chances[0] - chances[1]) / 2
        gradient = np.bincount(a, slope, len(parameters)) - np.bincount(b, slope, len(parameters))
        gradient[-1] = ((said == 2) - chances[2]).sum()
        value = -np.log(chances[said, np.arange(len(said))]).sum() + parameters[:-1].sum() ** 2
        gradient[:-1] -= 2 * parameters[:-1].sum()
        return float(value), -gradient

    fit = minimize(loss, np.zeros(len(index) + 1), jac=True, method="BFGS", options={"gtol": 1e-2})
    np.sqrt(np.diag(fit.hess_inv))
    strengths: list[float] = (fit.x[:-1] - fit.x[:-1].mean()).tolist()
    return strengths


def by_choix(found: list[Any], index: dict[str, int]) -> list[float]:
    """Who won against whom."""
    import choix

    won = [(index[a], index[b]) if said == "a" else (index[b], index[a]) for a, b, said in found if said != "tie"]
    return list(choix.ilsr_pairwise(len(index), won, alpha=0.01))


def main() -> None:
    """Fit and tell."""
    fit = {"scipy": by_scipy, "choix": by_choix}[sys.argv[1]]
    begun = time.perf_counter()
    found = sqlite3.connect(sys.argv[2]).execute(VOTES).fetchall()
    names = sorted({name for row in found for name in row[:2]})
    strengths = fit(found, {name: number for number, name in enumerate(names)})
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": round(seconds, 3), "strengths": dict(zip(names, strengths, strict=True))}))


if __name__ == "__main__":
    main()
