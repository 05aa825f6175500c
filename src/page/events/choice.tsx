/** A list to choose one of. */

/** What it is made of. */
export interface ChoiceProps {
  /** Its label. */
  readonly name: string;
  /** What is chosen. */
  readonly value: string;
  /** Values, and their words. */
  readonly options: readonly (readonly [value: string, text: string])[];
  /** It cannot be used now. */
  readonly isOff?: boolean;
  /** Something else was chosen. */
  readonly onChange: (value: string) => void;
}

/** A labelled `<select>`. */
export function Choice({ name, value, options, isOff = false, onChange }: ChoiceProps) {
  return (
    <label class="event-field">
      {name}
      <select value={value} disabled={isOff} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
