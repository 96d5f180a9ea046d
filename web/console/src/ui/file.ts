/** Has the browser keep a file. */
export function save(content: Blob | string, name: string) {
  const url = URL.createObjectURL(typeof content === 'string' ? new Blob([content]) : content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
