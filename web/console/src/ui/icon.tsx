const shapes = {
  close: 'M4 4l8 8M12 4l-8 8',
  home: 'M2.5 7.5L8 3l5.5 4.5V13h-4V9.5h-3V13h-4z',
  key: 'M10.5 9.5a3.5 3.5 0 1 0-3.3-2.4L2.5 11.8v1.7H5v-1.5h1.5v-1.5L8 9.1a3.5 3.5 0 0 0 2.5.4zM11 5.6v.1',
  list: 'M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.1M2.5 8h.1M2.5 12h.1',
  folder: 'M2 4h4l1.5 1.5H14V13H2z',
  pulse: 'M1.5 8h3l2-4.5 3 9 2-4.5h3',
  people: 'M6 7.5a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6zM1.8 13c.3-2.4 2-3.7 4.2-3.7s3.9 1.300 4.200 3.700M10.500 3.100a2.300 2.300 0 0 1 0 4.300M12 9.600c1.300.600 2 1.800 2.200 3.400',
  settings: 'M2.500 4.500h6M11.500 4.500h2M2.500 11.500h2M7.500 11.500h6M10 3v3M6 10v3',
  chart: 'M2.5 2.5v11h11M5.5 10.5v-3M8.5 10.5v-6M11.5 10.5v-4.500',
  page: 'M4 2h5.500L12 4.500V14H4zM6 7h4M6 9.500h4',
  plus: 'M8 3v10M3 8h10',
  copy: 'M5.500 5.500h7v8h-7zM3.500 10.500v-8h7',
  download: 'M8 2.500v7.500M5 7.500L8 10.500l3-3M3 13.500h10',
  check: 'M3 8.500l3.500 3.500L13 4.500',
  alert: 'M8 2.500L14.500 13.500h-13zM8 6.500v3.500M8 11.800v.1',
  more: 'M3.500 8h.1M8 8h.1M12.500 8h.1',
  shield: 'M8 2l5 2v4c0 3-2 5-5 6-3-1-5-3-5-6V4zM5.700 8l1.700 1.700 3-3.200',
  person: 'M8 8a2.700 2.700 0 1 0 0-5.400A2.700 2.700 0 0 0 8 8zM3 13.500c.400-2.600 2.400-4 5-4s4.600 1.400 5 4',
  out: 'M9.500 2.500h-6v11h6M7 8h7M11.500 5.500L14 8l-2.500 2.500',
} as const

export type IconName = keyof typeof shapes

/** A small drawing beside words; by itself it says nothing. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  )
}
