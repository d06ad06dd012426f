// Fields of the forms that search and filter.

import { type InputHTMLAttributes, type ReactNode, useEffect, useRef } from 'react';
import './fields.css';

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  name: string;
  value: string;
  width: string;
  children?: ReactNode;
}

/** A text that is the reader's while it is typed in, and otherwise the address's. */
export function Field({ label, value, width, children, ...input }: FieldProps) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.value = value;
  }, [value]);
  return (
    <label className="field">
      <span>{label}</span>
      <input
        ref={box}
        type="text"
        defaultValue={value}
        style={{ width }}
        autoComplete="off"
        spellCheck={false}
        {...input}
      />
      {children}
    </label>
  );
}

interface ChoiceProps {
  label: string;
  name: string;
  value: string;
  onChange: () => void;
  children: ReactNode;
}

export function Choice({ label, name, value, onChange, children }: ChoiceProps) {
  return (
    <label className="field">
      <span>{label}</span>
      <select name={name} defaultValue={value} key={value} onChange={onChange}>
        {children}
      </select>
    </label>
  );
}

/** A box to tick. */
export function Tick({ label, name, value, onChange }: Omit<ChoiceProps, 'value' | 'children'> & { value: boolean }) {
  return (
    <label className="tick">
      <input type="checkbox" name={name} defaultChecked={value} key={String(value)} onChange={onChange} />
      {label}
    </label>
  );
}

/** What a field suggests. */
export function Suggestions({ id, of }: { id: string; of: readonly string[] }) {
  return (
    <datalist id={id}>
      {of.map((choice) => (
        <option key={choice} value={choice} />
      ))}
    </datalist>
  );
}
