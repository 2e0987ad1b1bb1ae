import {Say, useTheme} from '../app/theme.tsx';

type Props = {
  /** From 0 to 1. */
  readonly share: number;
  readonly columns: number;
  /** Beside the bar: `6 of 14 steps, about 2 min left`. */
  readonly label: string;
};

/** How far something is, in figures and as a bar. */
export const ProgressBar = ({share, columns, label}: Props) => {
  const {glyphs, screenReader} = useTheme();
  const percent = Math.floor(Math.min(Math.max(share, 0), 1) * 100);
  if (screenReader) return <Say>{label}</Say>;
  const room = Math.max(10, Math.min(40, columns - label.length - 8));
  const full = Math.round((percent / 100) * room);
  return (
    <Say wrap="truncate-end">
      <Say tone="accent">{glyphs.barFull.repeat(full)}</Say>
      <Say tone="quiet">{glyphs.barEmpty.repeat(room - full)}</Say>
      {` ${String(percent).padStart(3)} %  ${label}`}
    </Say>
  );
};
