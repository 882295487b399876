/**
 * What was asked for already: answers for a while, failures for a short while, and one question at a time.
 */

/** How long a failure stands, so that a server that is down is not asked with every keystroke, in ms. */
const FAILED = 10_000;

interface IAnswer<T> {
  readonly promise: Promise<T | null>;
  /** When it is too old, in ms since the epoch. */
  until: number;
  value: T | null;
  readonly abort: AbortController;
}

/**
 * Answers by question. A failure is the answer null: who completes has nobody to complain to.
 */
export class AnswerCache<T> {
  /**
   * @param milliseconds - How long an answer is good.
   * @param size - Most answers to keep.
   */
  constructor(
    private readonly _milliseconds: number,
    private readonly _size = 500
  ) {}

  /** The answer that is here, if it is good; null if there is none. */
  peek(question: string): T | null {
    const known = this._answers.get(question);
    return known && known.until > Date.now() ? known.value : null;
  }

  /** The answer, asked for if it is not here; one that is on its way is waited for. */
  get(question: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    const known = this._answers.get(question);
    if (known && known.until > Date.now()) {
      return known.promise;
    }
    const abort = new AbortController();
    const answer: IAnswer<T> = {
      promise: ask(abort.signal).then(
        value => {
          answer.value = value;
          answer.until = Date.now() + this._milliseconds;
          return value;
        },
        () => {
          answer.until = Date.now() + (abort.signal.aborted ? 0 : FAILED);
          return null;
        }
      ),
      until: Infinity,
      value: null,
      abort
    };
    this._answers.delete(question);
    this._answers.set(question, answer);
    for (const oldest of this._answers.keys()) {
      if (this._answers.size <= this._size) {
        break;
      }
      this._answers.delete(oldest);
    }
    return answer.promise;
  }

  /** Give up what is on its way, but for the questions named: somebody types on. */
  giveUp(except: ReadonlySet<string>): void {
    for (const [question, { until, abort }] of this._answers) {
      if (until === Infinity && !except.has(question)) {
        abort.abort();
      }
    }
  }

  private readonly _answers = new Map<string, IAnswer<T>>();
}
