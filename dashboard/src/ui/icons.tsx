// Icons, drawn here: sixteen by sixteen, in the colour of the text around them.

const PATHS = {
  '/': 'M2 9h3l2-6 3 11 2-5h2',
  '/topology':
    'M4 4m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M12 3m-1.6 0a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0M11 13m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M6 4l4.4-.8M5.2 5.6l4.6 5.8M11.8 4.6l-.6 6.4',
  '/routes': 'M3 3v6a3 3 0 0 0 3 3h7M3 6h6a2 2 0 0 0 2-2V3M10.500 9.500 13 12l-2.500 2.500',
  '/traces': 'M2 3h9M4 6.500h7M6 10h8M9 13.500h4',
  '/critical-path': 'M2 13h4V8h4V3h4M11 3h3v3',
  '/tap':
    'M8 8m-1.400 0a1.400 1.400 0 1 0 2.800 0a1.400 1.400 0 1 0-2.800 0M4.800 11.200a4.500 4.500 0 0 1 0-6.400M11.200 4.800a4.500 4.500 0 0 1 0 6.400M2.700 13.300a7.500 7.500 0 0 1 0-10.600M13.300 2.700a7.500 7.500 0 0 1 0 10.600',
  '/mesh': 'M8 1.800 13.500 5v6L8 14.200 2.500 11V5zM2.500 5 8 8l5.500-3M8 8v6',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      aria-hidden="true"
    >
      <path d={PATHS[name]} strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
