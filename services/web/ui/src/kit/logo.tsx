/** A question under a roof: 安 is a roof over peace, 问 is to ask. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="logo">
      <rect width="32" height="32" rx="8" fill="#1d5c63" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M6 13.5 16 6.5l10 7" />
        <path d="M12.6 16.4a3.6 3.6 0 1 1 5.2 3.2c-1.2.6-1.8 1.2-1.8 2.4" />
      </g>
      <circle cx="16" cy="25.6" r="1.7" fill="#f2b84b" />
    </svg>
  );
}
