import { Link } from "react-router";
import { paths } from "@/app/paths";
import { Equation } from "@/components/Equation";
import { PageHeader } from "@/components/PageHeader";
import classes from "./GuidePage.module.css";
import { MethodsTable } from "./MethodsTable";
import { Pipeline } from "./Pipeline";

/** What is computed here, and what its numbers mean. */
export function GuidePage() {
  return (
    <article className={classes.guide}>
      <PageHeader title="How it works" />
      <p className={classes.lead}>
        A model fine-tuned on one reference chain of thought (COT) a question learns to write such a
        text, but not to tell a right one from a wrong one: often it finds its own wrong COTs more
        likely than its right ones. Alignment fine-tuning samples the model's COTs, finds out which
        are better, and trains the model to score the better ones higher.
      </p>

      <h2>The chain of runs</h2>
      <Pipeline />
      <p>
        An experiment repeats this for every method and seed. The base model, the VFT model and the
        sampled COTs of a seed are made once and shared by all its methods, so that methods differ
        in their loss and in nothing else.
      </p>

      <h2>The score</h2>
      <p>
        A COT's score is what the model thinks of it: the mean log-likelihood of its tokens, in nats
        a token. A rating is what somebody else thinks of it: right or wrong by its answer, or a
        judge's 1 to 10.
      </p>
      <p className={classes.equation}>
        <Equation number="2">{"s = (1/|r|) Σ_t log P(r_t | r_{<t}, q)"}</Equation>
      </p>

      <h2>The methods</h2>
      <p>
        Every method minimises the likelihood loss of the reference, <i>L</i>
        <sub>VFT</sub>; the ranking methods add a loss over pairs in which COT <i>i</i> is rated
        above COT <i>j</i>. Colour is the method, fill its constraint. D(·) passes no gradient.
      </p>
      <MethodsTable />

      <h2>Why a constraint</h2>
      <p>
        A ranking loss alone wins by pushing wrong COTs down, and it hardly ever stops: with three
        right and three wrong COTs that already differ by one nat a token, the push is still 0.77 of
        its maximum. A wrong COT shares most of its words with a right one, so the model unlearns
        language along with errors. Its signature: assessment accuracy rises while task accuracy
        falls and perplexity grows.
      </p>
      <ul>
        <li>
          <b>Detached</b>: the worse COT's score gets no gradient. Better COTs are pulled up,
          nothing is pushed down.
        </li>
        <li>
          <b>Boundary</b>: a worse COT is pushed down only to β below the lowest better one; below
          that it is pulled back up.
        </li>
      </ul>

      <h2>What is measured</h2>
      <dl className={classes.measures}>
        <dt>Task accuracy</dt>
        <dd>Share of test questions answered right, decoding greedily.</dd>
        <dt>Assessment accuracy</dt>
        <dd>
          Share of pairs of a right and a wrong COT in which the right one has the higher score, on
          freshly sampled COTs, averaged over questions. 50 % is chance.
        </dd>
        <dt>Perplexity</dt>
        <dd>
          Mean of exp(−<i>s</i>) over right COTs: how surprised the model is by good reasoning.
          Lower is better.
        </dd>
        <dt>±</dt>
        <dd>
          The standard deviation over seeds. Differences to VFT are paired by seed, with a 95&nbsp;%
          interval; an interval that contains 0 shows no difference.
        </dd>
      </dl>

      <h2>What the demo shows, and what it does not</h2>
      <ul>
        <li>
          Without a constraint, AFT, RRHF and PRO end well below VFT and their perplexity rises.
          With the worse COTs detached, PRO is repaired, and RRHF mostly.
        </li>
        <li>AFT with a constraint gains a little over VFT at equal epochs. RFT gains most.</li>
        <li>
          <b>VFT · continued</b> is VFT trained for twice the epochs: the equal-epoch control. It
          closes much of the gap, so the demo does not show that AFT beats a longer VFT.
        </li>
        <li>
          It is one tiny model on synthetic word problems with three seeds. It shows how the losses
          behave, not what they are worth on your model.
        </li>
      </ul>
      <p className={classes.next}>
        <Link to={paths.newExperiment}>Plan an experiment</Link>
        <Link to={paths.datasets}>Data sets</Link>
        <Link to={paths.models}>Models</Link>
      </p>
    </article>
  );
}
