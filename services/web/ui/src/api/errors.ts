/** A failed call: what the server said, or that it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    /** Names the request in the server's log, for support. */
    readonly requestId: string | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  static async fromResponse(response: Response): Promise<ApiError> {
    const body: unknown = await response.json().catch(() => null);
    return ApiError.fromBody(body, response.status, response.headers.get('x-request-id'));
  }

  static fromBody(body: unknown, status: number, headerId: string | null = null): ApiError {
    const detail = (body as { error?: { code?: string; message?: string; request_id?: string } } | null)
      ?.error;
    return new ApiError(
      detail?.code ?? `http_${status}`,
      detail?.message ?? '',
      status,
      detail?.request_id || headerId,
    );
  }

  /** The network failed before any answer came. */
  static unreachable(): ApiError {
    return new ApiError('unreachable', '', 0);
  }

  static of(cause: unknown): ApiError {
    if (cause instanceof ApiError) return cause;
    // `fetch` reports every network failure as a TypeError.
    if (cause instanceof TypeError) return ApiError.unreachable();
    return new ApiError('unexpected', cause instanceof Error ? cause.message : String(cause), 0);
  }
}
